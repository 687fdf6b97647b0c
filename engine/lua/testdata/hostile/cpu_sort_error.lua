-- expect: value
local ok, err = pcall(table.sort, {3, {}, 'x', 1})
return ok
