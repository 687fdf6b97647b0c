-- expect: limit
error(('x'):rep(2^24) .. ('y'):rep(2^24))
