-- expect: script
return ('x'):match('%')
