-- expect: script
return ('x'):match('%b')
