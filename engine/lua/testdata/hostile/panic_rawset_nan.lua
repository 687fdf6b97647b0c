-- expect: value
pcall(rawset, {}, 0/0, 1)
pcall(rawset, {}, nil, 1)
return true
