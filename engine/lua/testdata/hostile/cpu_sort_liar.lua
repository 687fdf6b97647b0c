-- expect: value
local t = {}
for i = 1, 2000 do t[i] = i end
local calls = 0
pcall(table.sort, t, function(a, b) calls = calls + 1 return calls % 2 == 0 end)
return #t
