-- expect: invalid_input
return {0/0}
