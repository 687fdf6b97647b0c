-- expect: value
rawset(_G, 'pairs', nil)
rawset(string, 'format', nil)
POISON = 'yes'
return true
