-- expect: script
getfenv(0).POISON = 'yes'
