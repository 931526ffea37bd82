/** The SQL of the store of results. */

import type { StatementSync } from "node:sqlite";

/** The table; its name has a version, for files that another release has written. */
export const TABLE = `
CREATE TABLE IF NOT EXISTS results_1 (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  request TEXT NOT NULL,
  state TEXT NOT NULL,
  sizeBytes INTEGER NOT NULL,
  createdAtMs INTEGER NOT NULL,
  finishedAtMs INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS results_1_finished ON results_1 (finishedAtMs);
CREATE INDEX IF NOT EXISTS results_1_created ON results_1 (kind, createdAtMs)`;

/** What the store says to the database. */
export const STATEMENTS = {
  add: `INSERT OR IGNORE INTO results_1 (id, kind, request, state, sizeBytes, createdAtMs)
    VALUES (?, ?, ?, ?, ?, ?)`,
  size: `SELECT sizeBytes, octet_length(request) AS requestBytes FROM results_1 WHERE id = ?`,
  change: `UPDATE results_1 SET state = ?, sizeBytes = ?, finishedAtMs = ?
    WHERE id = ? AND finishedAtMs IS NULL`,
  get: `SELECT * FROM results_1 WHERE id = ? AND kind = ?`,
  list: `SELECT * FROM results_1 WHERE kind = ? ORDER BY createdAtMs DESC, rowid DESC
    LIMIT ? OFFSET ?`,
  unfinished: `SELECT * FROM results_1 WHERE kind = ? AND finishedAtMs IS NULL ORDER BY rowid`,
  count: `SELECT count(*) AS count FROM results_1 WHERE kind = ?`,
  measure: `SELECT count(*) AS count, ifnull(sum(sizeBytes), 0) AS bytes FROM results_1`,
  remove: `DELETE FROM results_1 WHERE id = ? RETURNING sizeBytes`,
  removeOld: `DELETE FROM results_1 WHERE finishedAtMs <= ? RETURNING sizeBytes`,
  removeOldest: `DELETE FROM results_1 WHERE id = (
    SELECT id FROM results_1 WHERE finishedAtMs IS NOT NULL AND id <> ?
    ORDER BY finishedAtMs, rowid LIMIT 1) RETURNING sizeBytes`,
} as const;

/** The same, prepared. */
export type Statements = Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;
