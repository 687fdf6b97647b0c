-- expect: limit
-- A list is as long as its farthest key, up to a million: 16 MB by one instruction.
local keep = {}
for i = 1, 1000 do
  local t = {}
  t[1048575] = 1
  keep[i] = t
end
return 1
