/**
 * The upper halves of encodings that Node 20 does not know, or reads as another: what bytes 0x80 to 0xff mean, as the
 * Encoding standard says.
 */
export const SINGLE_BYTE_TABLES: ReadonlyMap<string, string> = new Map([
  ['windows-1252', `€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ${codes(0xa0, 96)}`],
  [
    'iso-8859-16',
    `${codes(0x80, 32)}\xa0ĄąŁ€„Š§š©Ș«Ź\xadźŻ°±ČłŽ”¶·žčș»ŒœŸżÀÁÂĂÄĆÆÇÈÉÊËÌÍÎÏĐŃÒÓÔŐÖŚŰÙÚÛÜĘȚßàáâăäćæçèéêëìíîïđńòóôőöśűùúûüęțÿ`,
  ],
  ['x-user-defined', codes(0xf780, 128)],
])

function codes(from: number, count: number): string {
  return String.fromCharCode(...Array.from({ length: count }, (_, i) => from + i))
}
