import { script } from './fragments/script.js'

/** Writes a shared value. ARGV: key, JSON of the value, the revision that it has to have, 0 for none. Answers 1, or 0. */
export const WRITE_SHARED = script(`
local known = redis.call('HGET', p .. ':shared', ARGV[1])
local revision = known and tonumber(string.match(known, '^%d+')) or 0
if revision ~= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', p .. ':shared', ARGV[1], string.format('%d ', revision + 1) .. ARGV[2])
redis.call('HSET', p .. ':meta', 'shares', 1)
return 1`)
