-- expect: limit
local t = {}
for i = 1, 100 do t[i] = -i end
table.sort(t, function(a, b) local n = 0 while true do n = n + 1 end end)
