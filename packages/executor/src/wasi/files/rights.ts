const bit = (n: number) => 1n << BigInt(n)

/** What a descriptor may be used for, by the bits of preview 1. */
export const Right = {
  Datasync: bit(0),
  Read: bit(1),
  Seek: bit(2),
  SetFlags: bit(3),
  Sync: bit(4),
  Tell: bit(5),
  Write: bit(6),
  Advise: bit(7),
  Allocate: bit(8),
  CreateDirectory: bit(9),
  CreateFile: bit(10),
  LinkSource: bit(11),
  LinkTarget: bit(12),
  Open: bit(13),
  ReadDirectory: bit(14),
  ReadLink: bit(15),
  RenameSource: bit(16),
  RenameTarget: bit(17),
  PathStatus: bit(18),
  PathSetSize: bit(19),
  PathSetTimes: bit(20),
  Status: bit(21),
  SetSize: bit(22),
  SetTimes: bit(23),
  Symlink: bit(24),
  RemoveDirectory: bit(25),
  RemoveFile: bit(26),
  Poll: bit(27),
} as const

const all = Object.values(Right).reduce((sum, right) => sum | right, 0n)

const file =
  Right.Datasync |
  Right.Read |
  Right.Seek |
  Right.SetFlags |
  Right.Sync |
  Right.Tell |
  Right.Write |
  Right.Advise |
  Right.Allocate |
  Right.Status |
  Right.SetSize |
  Right.SetTimes |
  Right.Poll

/** Every right that applies to a thing; others are never granted. */
export const Rights = {
  all,
  file,
  directory:
    (all & ~file) | Right.SetFlags | Right.Sync | Right.Datasync | Right.Status | Right.SetTimes,
} as const
