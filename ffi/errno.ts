/**
 * The kernel's errors: number, name, and the words of strerror(3). x86_64 and aarch64 share the
 * numbers. See errno(3).
 */

export const ERRNO_TABLE = [
  [1, "EPERM", "Operation not permitted"],
  [2, "ENOENT", "No such file or directory"],
  [3, "ESRCH", "No such process"],
  [4, "EINTR", "Interrupted system call"],
  [5, "EIO", "Input/output error"],
  [6, "ENXIO", "No such device or address"],
  [7, "E2BIG", "Argument list too long"],
  [8, "ENOEXEC", "Exec format error"],
  [9, "EBADF", "Bad file descriptor"],
  [10, "ECHILD", "No child processes"],
  [11, "EAGAIN", "Resource temporarily unavailable"],
  [12, "ENOMEM", "Cannot allocate memory"],
  [13, "EACCES", "Permission denied"],
  [14, "EFAULT", "Bad address"],
  [15, "ENOTBLK", "Block device required"],
  [16, "EBUSY", "Device or resource busy"],
  [17, "EEXIST", "File exists"],
  [18, "EXDEV", "Invalid cross-device link"],
  [19, "ENODEV", "No such device"],
  [20, "ENOTDIR", "Not a directory"],
  [21, "EISDIR", "Is a directory"],
  [22, "EINVAL", "Invalid argument"],
  [23, "ENFILE", "Too many open files in system"],
  [24, "EMFILE", "Too many open files"],
  [25, "ENOTTY", "Inappropriate ioctl for device"],
  [26, "ETXTBSY", "Text file busy"],
  [27, "EFBIG", "File too large"],
  [28, "ENOSPC", "No space left on device"],
  [29, "ESPIPE", "Illegal seek"],
  [30, "EROFS", "Read-only file system"],
  [31, "EMLINK", "Too many links"],
  [32, "EPIPE", "Broken pipe"],
  [34, "ERANGE", "Numerical result out of range"],
  [36, "ENAMETOOLONG", "File name too long"],
  [38, "ENOSYS", "Function not implemented"],
  [39, "ENOTEMPTY", "Directory not empty"],
  [40, "ELOOP", "Too many levels of symbolic links"],
  [61, "ENODATA", "No data available"],
  [62, "ETIME", "Timer expired"],
  [72, "EMULTIHOP", "Multihop attempted"],
  [75, "EOVERFLOW", "Value too large for defined data type"],
  [80, "ELIBBAD", "Accessing a corrupted shared library"],
  [83, "ELIBEXEC", "Cannot exec a shared library directly"],
  [88, "ENOTSOCK", "Socket operation on non-socket"],
  [92, "ENOPROTOOPT", "Protocol not available"],
  [95, "EOPNOTSUPP", "Operation not supported"],
  [97, "EAFNOSUPPORT", "Address family not supported by protocol"],
  [98, "EADDRINUSE", "Address already in use"],
  [104, "ECONNRESET", "Connection reset by peer"],
  [105, "ENOBUFS", "No buffer space available"],
  [107, "ENOTCONN", "Transport endpoint is not connected"],
  [110, "ETIMEDOUT", "Connection timed out"],
  [111, "ECONNREFUSED", "Connection refused"],
  [116, "ESTALE", "Stale file handle"],
  [117, "EUCLEAN", "Structure needs cleaning"],
  [122, "EDQUOT", "Disk quota exceeded"],
  [126, "ENOKEY", "Required key not available"],
] as const;

export const ERRNO: { readonly [Entry in typeof ERRNO_TABLE[number] as Entry[1]]: Entry[0] } =
  Object.fromEntries(ERRNO_TABLE.map(([number, name]) => [name, number])) as typeof ERRNO;

/** Names an error number: `ENOENT`. */
export function errnoName(errno: number): string {
  return ERRNO_TABLE.find(([number]) => number === errno)?.[1] ?? `errno ${errno}`;
}

/** Explains an error number in the words of strerror(3). */
export function errnoText(errno: number): string {
  return ERRNO_TABLE.find(([number]) => number === errno)?.[2] ?? `Error ${errno}`;
}
