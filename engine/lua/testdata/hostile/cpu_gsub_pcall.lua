-- expect: value
return (string.rep('a', 1000):gsub('.', pcall))
