/** A value that is converted. It has no imports: the programs of `peers/` use it as well. */

/** Resembles the answer of a web service: 100 records, about 30 kB of JSON. */
export function document(): unknown {
  const user = (id: number) => ({
    id,
    name: `User ${id}`,
    email: `user${id}@example.org`,
    active: id % 3 !== 0,
    score: id / 7,
    tags: ["alpha", "beta", `tag-${id % 10}`],
    address: {
      street: `Straße ${id}`,
      zip: String(10000 + id),
      location: { lat: 52.5 + id / 1000, lon: 13.4 },
    },
    manager: id > 10 ? id % 10 : null,
  });
  return { total: 100, next: null, users: Array.from({ length: 100 }, (_, id) => user(id)) };
}
