/** Records in the packed layout. */
export function packed(records) {
  const size = (record) => 16 + Math.ceil(record.length / 8) * 8;
  const bytes = Buffer.alloc(records.reduce((sum, record) => sum + size(record), 0));
  let at = 0;
  for (const record of records) {
    bytes.writeUInt32LE(record.length, at);
    record.copy(bytes, at + 16);
    at += size(record);
  }
  return bytes;
}
