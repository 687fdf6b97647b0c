-- expect: limit
local s, kept = ('x'):rep(2^20), {}
for i = 1, 1e6 do kept[i] = s .. i end
