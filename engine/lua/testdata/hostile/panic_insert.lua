-- expect: value
local t = {}
pcall(table.insert, t, -1, 'a')
return true
