-- expect: script
return ('a'):rep(100):match(('(a)'):rep(50))
