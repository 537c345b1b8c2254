import { freeingScript, script } from '../scripts/fragments/script.js'

/** What a group keeps under its keys; without JSON the key is removed. */
export const CHANGE_STATE = `
local function changeState(group, key, json)
  if json == '' then
    redis.call('HDEL', p .. ':states:' .. group, key)
    redis.call('ZREM', p .. ':state-keys:' .. group, key)
  else
    redis.call('HSET', p .. ':states:' .. group, key, json)
    redis.call('ZADD', p .. ':state-keys:' .. group, 0, key)
  end
end
`

const PUT_BODY = `${CHANGE_STATE}
changeState(ARGV[1], ARGV[2], ARGV[3])
return 1`

/** ARGV: group, key, JSON. */
export const PUT_STATE = script(PUT_BODY)

/** ARGV: group, key, an empty string. */
export const REMOVE_STATE = freeingScript(PUT_BODY)
