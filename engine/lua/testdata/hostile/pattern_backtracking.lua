-- expect: limit
return string.rep('a', 3000):find(string.rep('a-', 20) .. 'b')
