-- expect: limit
-- A list is as long as its farthest key, up to half a million: 8 MB by one instruction.
local keep = {}
for i = 1, 1000 do
  local t = {}
  t[524287] = 1
  keep[i] = t
end
return 1
