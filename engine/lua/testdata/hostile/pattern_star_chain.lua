-- expect: limit
return ('a'):rep(3000):match('.-.-.-.-b')
