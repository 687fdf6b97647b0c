-- expect: value
for name in pairs(_G) do _G[name] = nil end
pairs, type, tostring, string, table, math = nil
return true
