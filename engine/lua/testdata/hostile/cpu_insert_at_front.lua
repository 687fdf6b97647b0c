-- expect: limit
local t = {}
while true do table.insert(t, 1, 0) if #t > 1000 then t = {} end end
