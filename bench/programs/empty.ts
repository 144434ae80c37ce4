/** The empty runtime: what start-up figures are beside. */
export {};
