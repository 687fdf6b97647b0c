-- expect: limit
return (string.rep('a', 1e5):gsub('.-b', ''))
