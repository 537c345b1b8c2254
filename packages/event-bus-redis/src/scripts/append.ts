import { script } from './fragments/script.js'

/** ARGV: id, type, source, JSON, deliverAt or 0, delayMs or 0, six per event. Answers sequence and 1 for a duplicate, per event. */
export const APPEND = script(`
local damage, results = openLog(), {}
if damage then return damage end
for i = 1, #ARGV, 6 do
  results[#results + 1] = append(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5])
end
finish()
return results`)
