-- expect: script
return ('a'):rep(100000):match(('(a)'):rep(1) .. ('a?'):rep(300000))
