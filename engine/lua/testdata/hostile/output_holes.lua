-- expect: invalid_input
return {1, [5] = 2}
