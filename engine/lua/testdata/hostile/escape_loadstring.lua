-- expect: script
return loadstring('return 1')()
