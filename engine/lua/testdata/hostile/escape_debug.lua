-- expect: script
return debug.getinfo(1)
