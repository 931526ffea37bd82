/** Programs that tests run in several languages. */

/** The files of one program by the id of its language. */
export type Programs = Readonly<Record<string, Readonly<Record<string, string>>>>;
