// What Nexus gives to a command in addition to WASI. AssemblyScript imports it from a module named as this file.

/** Emits an event; texts are UTF-8, data and attributes JSON. 0: taken, 1: denied, 2: over a limit, 3: malformed. */
export declare function emit(
  type: ArrayBuffer,
  typeLength: i32,
  data: ArrayBuffer,
  dataLength: i32,
  attributes: usize,
  attributesLength: i32,
): i32
