// The version of pyawait, for people. `test/project/package_test.ts` compares it with package.json, which a bundle cannot read.

export const version = "0.1.0";
