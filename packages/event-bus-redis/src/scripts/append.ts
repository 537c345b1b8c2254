import { script } from './library.js'

/** ARGV: id, type, source, JSON, deliverAt or 0, five per event. Answers sequence and 1 for a duplicate, per event. */
export const APPEND = script(`
local now, results = clock(), {}
for i = 1, #ARGV, 5 do
  results[#results + 1] = append(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], now)
end
finish()
return results`)
