/**
 * Whose directories are emptied where root removes a tree for somebody. Who can rename a directory of his
 * own can move those of others with it, to where they will be removed; he could not have emptied them.
 */

/** Whose a tree is that is removed. */
export interface Ownership {
  /** To whom it belongs. */
  readonly owner: number;
  /** Who else makes directories in it. */
  readonly others: readonly number[];
  /** What is removed, for people. */
  readonly path: string;
  /**
   * How deep those directories lie that are in one which only its owner and root reach: what nobody else
   * may write to can only have been put there by root.
   */
  readonly placeDepth: number;
}

/** What a directory tells about who could have moved it. */
export interface OwnedDirectory {
  readonly uid: number;
  readonly mode: number;
}

/** A directory in a tree, and where. */
export interface DirectoryBelow extends OwnedDirectory {
  /** The directory above it; undefined: nothing is known of that. */
  readonly above: OwnedDirectory | undefined;
  /** The number of levels below the tree's own directory. */
  readonly depth: number;
}

const WRITABLE_BY_ALL = 0o002;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * Tells whether a directory is emptied. All directories above it are.
 *
 * To move a directory elsewhere takes the right to write to it (its `..` changes), besides that to change
 * both directories in which it is named. So one that only its owner writes to was put there by its owner
 * or by root, unless it was moved together with the directory above it.
 */
export function isEmptied(
  { owner, others, placeDepth }: Ownership,
  { uid, mode, above, depth }: DirectoryBelow,
): boolean {
  if (uid === owner || others.includes(uid)) return true;
  // Everybody could empty it.
  if ((mode & (WRITABLE_BY_ALL | STICKY)) === WRITABLE_BY_ALL) return true;
  if ((mode & WRITABLE_BY_OTHERS) !== 0) return false;
  if (depth === placeDepth) return true;
  return above !== undefined && above.uid === uid && (above.mode & WRITABLE_BY_OTHERS) === 0;
}
