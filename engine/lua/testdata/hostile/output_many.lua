-- expect: invalid_input
return unpack({1, 2, 3})
