-- expect: limit
return (('a'):rep(5000):gsub('.-b', ''))
