-- expect: value
for i = 1, 10, 0 do return true end
return true
