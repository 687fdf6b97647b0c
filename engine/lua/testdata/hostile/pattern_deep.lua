-- expect: limit
return ('('):rep(100000):match(('%('):rep(1) .. '.-.-.-.-%)')
