-- expect: invalid_input
return {[true] = 1}
