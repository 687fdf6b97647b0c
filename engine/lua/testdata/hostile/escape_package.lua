-- expect: script
return package.loaded
