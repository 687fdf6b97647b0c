-- expect: invalid_input
return {1, x = 2}
