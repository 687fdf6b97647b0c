-- expect: script
return loadstring('\27Lua')
