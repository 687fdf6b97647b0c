-- expect: value
pcall(table.remove, {}, -5)
pcall(table.remove, {1, 2}, 1e15)
return true
