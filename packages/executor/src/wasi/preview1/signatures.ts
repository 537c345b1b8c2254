/** The module that WASI preview 1 functions are imported from. */
export const PREVIEW1 = 'wasi_snapshot_preview1'

const signature = (parameters: string, result = 'i') => {
  const spell = (letters: string) => [...letters].map((letter) => (letter === 'I' ? 'i64' : 'i32'))
  return `(${spell(parameters).join(', ')}) -> ${spell(result).join(', ') || 'nothing'}`
}

/** Every function of preview 1 and its signature (WASI, legacy/preview1/witx/wasi_snapshot_preview1.witx). */
export const PREVIEW1_SIGNATURES = {
  args_get: signature('ii'),
  args_sizes_get: signature('ii'),
  clock_res_get: signature('ii'),
  clock_time_get: signature('iIi'),
  environ_get: signature('ii'),
  environ_sizes_get: signature('ii'),
  fd_advise: signature('iIIi'),
  fd_allocate: signature('iII'),
  fd_close: signature('i'),
  fd_datasync: signature('i'),
  fd_fdstat_get: signature('ii'),
  fd_fdstat_set_flags: signature('ii'),
  fd_fdstat_set_rights: signature('iII'),
  fd_filestat_get: signature('ii'),
  fd_filestat_set_size: signature('iI'),
  fd_filestat_set_times: signature('iIIi'),
  fd_pread: signature('iiiIi'),
  fd_prestat_dir_name: signature('iii'),
  fd_prestat_get: signature('ii'),
  fd_pwrite: signature('iiiIi'),
  fd_read: signature('iiii'),
  fd_readdir: signature('iiiIi'),
  fd_renumber: signature('ii'),
  fd_seek: signature('iIii'),
  fd_sync: signature('i'),
  fd_tell: signature('ii'),
  fd_write: signature('iiii'),
  path_create_directory: signature('iii'),
  path_filestat_get: signature('iiiii'),
  path_filestat_set_times: signature('iiiiIIi'),
  path_link: signature('iiiiiii'),
  path_open: signature('iiiiiIIii'),
  path_readlink: signature('iiiiii'),
  path_remove_directory: signature('iii'),
  path_rename: signature('iiiiii'),
  path_symlink: signature('iiiii'),
  path_unlink_file: signature('iii'),
  poll_oneoff: signature('iiii'),
  proc_exit: signature('i', ''),
  proc_raise: signature('i'),
  random_get: signature('ii'),
  sched_yield: signature(''),
  sock_accept: signature('iii'),
  sock_recv: signature('iiiiii'),
  sock_send: signature('iiiii'),
  sock_shutdown: signature('ii'),
} as const

export type Preview1Name = keyof typeof PREVIEW1_SIGNATURES

/** The module and the functions that Nexus itself gives to a command. */
export const NEXUS = 'nexus'
export const NEXUS_SIGNATURES: Readonly<Record<string, string>> = {
  /** `(type, type_len, data, data_len, attributes, attributes_len) -> EmitAnswer` */
  emit: signature('iiiiii'),
}

/** The `errno` values of preview 1 that are answered here. */
export const Errno = {
  Success: 0,
  Badf: 8,
  Exist: 20,
  Fault: 21,
  Ilseq: 25,
  Inval: 28,
  Io: 29,
  Isdir: 31,
  Mfile: 33,
  Nametoolong: 37,
  Noent: 44,
  Nospc: 51,
  Notdir: 54,
  Notempty: 55,
  Notsock: 57,
  Notsup: 58,
  Spipe: 70,
  Notcapable: 76,
} as const

export const FileType = { Unknown: 0, Directory: 3, RegularFile: 4 } as const
