-- expect: value
for i = 1, 2000 do print(('x'):rep(100)) end
return {}
