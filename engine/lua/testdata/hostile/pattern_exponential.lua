-- expect: limit
return (('a'):rep(40) .. 'b'):match(('a?'):rep(40) .. ('a'):rep(40) .. '$')
