-- expect: invalid_input
return '\255\254'
