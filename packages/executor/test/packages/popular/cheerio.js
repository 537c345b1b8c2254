import * as cheerio from 'cheerio'
export default () => {
  const $ = cheerio.load('<ul id=f><li class=a>A &amp; ü</li><li>B</li></ul><script>x<1</script>')
  $('li').last().attr('data-x', '1').text('C<')
  return [
    $('.a').text(),
    $('#f').html(),
    $('li')
      .map((_i, e) => $(e).text())
      .get(),
    $.html(),
    $.root().html().length,
  ]
}
