-- expect: script
local t = {}
t.message = t
error(t)
