<?xml version="1.0" encoding="UTF-8"?>
<!-- A CDA document as a page to read: its header, then its narrative or its encapsulated file.
     Only elements that are named here reach the page; nothing of the document becomes script. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:h="urn:hl7-org:v3" exclude-result-prefixes="h">
  <xsl:output method="html" encoding="UTF-8" doctype-system="about:legacy-compat" indent="no"/>
  <xsl:param name="style"/>
  <xsl:key name="media" match="h:observationMedia" use="@ID"/>

  <xsl:template match="/h:ClinicalDocument">
    <html lang="fr">
      <head>
        <meta charset="UTF-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <title><xsl:value-of select="h:title"/></title>
        <style><xsl:value-of select="$style"/></style>
      </head>
      <body>
        <header>
          <h1><xsl:value-of select="h:title"/></h1>
          <p class="kind"><xsl:value-of select="h:code/@displayName"/> · version <xsl:value-of select="h:versionNumber/@value"/></p>
          <dl>
            <dt>Patient</dt>
            <dd><xsl:apply-templates select="h:recordTarget/h:patientRole"/></dd>
            <dt>Date</dt>
            <dd><xsl:call-template name="date"><xsl:with-param name="stamp" select="h:effectiveTime/@value"/></xsl:call-template></dd>
            <dt>Auteur</dt>
            <dd><xsl:for-each select="h:author"><p><xsl:apply-templates select="h:assignedAuthor"/></p></xsl:for-each></dd>
            <dt>Responsable</dt>
            <dd><xsl:apply-templates select="h:legalAuthenticator/h:assignedEntity"/></dd>
            <dt>Prise en charge</dt>
            <dd>
              <xsl:value-of select="h:componentOf/h:encompassingEncounter/h:location/h:healthCareFacility/h:code/@displayName"/>
              <xsl:if test="h:componentOf/h:encompassingEncounter/h:effectiveTime/h:low/@value">, à partir du <xsl:call-template name="date"><xsl:with-param name="stamp" select="h:componentOf/h:encompassingEncounter/h:effectiveTime/h:low/@value"/></xsl:call-template></xsl:if>
            </dd>
            <dt>Conservé par</dt>
            <dd><xsl:value-of select="h:custodian/h:assignedCustodian/h:representedCustodianOrganization/h:name"/></dd>
          </dl>
        </header>
        <main>
          <xsl:apply-templates select="h:component/h:structuredBody/h:component/h:section"/>
          <xsl:apply-templates select="h:component/h:nonXMLBody/h:text" mode="file"/>
          <xsl:apply-templates select="//h:observationMedia[not(//h:renderMultiMedia[contains(concat(' ', @referencedObject, ' '), concat(' ', current()/@ID, ' '))])]/h:value" mode="unreferenced"/>
        </main>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="h:patientRole">
    <strong>
      <xsl:value-of select="h:patient/h:name/h:family[@qualifier='BR'] | h:patient/h:name/h:family[not(../h:family[@qualifier='BR'])][1]"/>
      <xsl:text> </xsl:text>
      <xsl:value-of select="h:patient/h:name/h:given[1]"/>
    </strong>
    <xsl:if test="h:patient/h:birthTime/@value">, né(e) le <xsl:call-template name="date"><xsl:with-param name="stamp" select="h:patient/h:birthTime/@value"/></xsl:call-template></xsl:if>
    <xsl:choose>
      <xsl:when test="h:patient/h:administrativeGenderCode/@code='F'">, femme</xsl:when>
      <xsl:when test="h:patient/h:administrativeGenderCode/@code='M'">, homme</xsl:when>
    </xsl:choose>
    <xsl:for-each select="h:id[starts-with(@root, '1.2.250.1.213.1.4.')]"> · INS <xsl:value-of select="@extension"/></xsl:for-each>
  </xsl:template>

  <xsl:template match="h:assignedAuthor | h:assignedEntity">
    <xsl:value-of select="h:assignedPerson/h:name/h:given"/><xsl:text> </xsl:text>
    <xsl:value-of select="h:assignedPerson/h:name/h:family"/>
    <xsl:value-of select="h:assignedAuthoringDevice/h:softwareName"/>
    <xsl:if test="h:code/@displayName">, <xsl:value-of select="h:code/@displayName"/></xsl:if>
    <xsl:if test="h:representedOrganization/h:name">, <xsl:value-of select="h:representedOrganization/h:name"/></xsl:if>
  </xsl:template>

  <xsl:template match="h:section">
    <section>
      <xsl:if test="normalize-space(h:title)"><h2><xsl:value-of select="h:title"/></h2></xsl:if>
      <xsl:apply-templates select="h:text"/>
      <xsl:apply-templates select="h:component/h:section"/>
    </section>
  </xsl:template>

  <!-- The narrative block (CDA R2 §4.3.5): what it may hold, and its counterpart in HTML. -->
  <xsl:template match="h:text"><div class="narrative"><xsl:apply-templates/></div></xsl:template>
  <xsl:template match="h:paragraph"><p><xsl:apply-templates/></p></xsl:template>
  <xsl:template match="h:br"><br/></xsl:template>
  <xsl:template match="h:sub"><sub><xsl:apply-templates/></sub></xsl:template>
  <xsl:template match="h:sup"><sup><xsl:apply-templates/></sup></xsl:template>
  <xsl:template match="h:content"><span><xsl:call-template name="styled"/><xsl:apply-templates/></span></xsl:template>
  <xsl:template match="h:caption"><strong><xsl:apply-templates/></strong></xsl:template>
  <xsl:template match="h:list[@listType='ordered']"><ol><xsl:apply-templates select="h:item"/></ol></xsl:template>
  <xsl:template match="h:list"><ul><xsl:apply-templates select="h:item"/></ul></xsl:template>
  <xsl:template match="h:item"><li><xsl:call-template name="styled"/><xsl:apply-templates/></li></xsl:template>
  <xsl:template match="h:table"><table><xsl:if test="h:caption"><caption><xsl:apply-templates select="h:caption/node()"/></caption></xsl:if><xsl:apply-templates select="h:thead | h:tfoot | h:tbody | h:tr"/></table></xsl:template>
  <xsl:template match="h:thead"><thead><xsl:apply-templates select="h:tr"/></thead></xsl:template>
  <xsl:template match="h:tfoot"><tfoot><xsl:apply-templates select="h:tr"/></tfoot></xsl:template>
  <xsl:template match="h:tbody"><tbody><xsl:apply-templates select="h:tr"/></tbody></xsl:template>
  <xsl:template match="h:tr"><tr><xsl:apply-templates select="h:th | h:td"/></tr></xsl:template>
  <xsl:template match="h:th"><th><xsl:call-template name="cell"/></th></xsl:template>
  <xsl:template match="h:td"><td><xsl:call-template name="cell"/></td></xsl:template>
  <xsl:template match="h:footnote"><small><xsl:apply-templates/></small></xsl:template>
  <xsl:template match="h:linkHtml">
    <xsl:choose>
      <xsl:when test="starts-with(@href, 'https://') or starts-with(@href, 'http://') or starts-with(@href, '#')"><a href="{@href}" rel="noreferrer noopener"><xsl:apply-templates/></a></xsl:when>
      <xsl:otherwise><xsl:apply-templates/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
  <xsl:template match="h:renderMultiMedia">
    <figure>
      <xsl:apply-templates select="key('media', @referencedObject)/h:value" mode="file"/>
      <xsl:if test="h:caption"><figcaption><xsl:apply-templates select="h:caption/node()"/></figcaption></xsl:if>
    </figure>
  </xsl:template>
  <xsl:template match="*"><xsl:apply-templates/></xsl:template>

  <xsl:template name="cell">
    <xsl:if test="number(@colspan) = @colspan"><xsl:attribute name="colspan"><xsl:value-of select="@colspan"/></xsl:attribute></xsl:if>
    <xsl:if test="number(@rowspan) = @rowspan"><xsl:attribute name="rowspan"><xsl:value-of select="@rowspan"/></xsl:attribute></xsl:if>
    <xsl:call-template name="styled"/>
    <xsl:apply-templates/>
  </xsl:template>

  <xsl:template name="styled">
    <xsl:if test="contains(@styleCode, 'Bold') or contains(@styleCode, 'xEmphasis') or contains(@styleCode, 'Italics') or contains(@styleCode, 'Underline')">
      <xsl:attribute name="class">
        <xsl:if test="contains(@styleCode, 'Bold') or contains(@styleCode, 'xEmphasis')">bold </xsl:if>
        <xsl:if test="contains(@styleCode, 'Italics')">italic </xsl:if>
        <xsl:if test="contains(@styleCode, 'Underline')">underline</xsl:if>
      </xsl:attribute>
    </xsl:if>
  </xsl:template>

  <xsl:template match="h:value" mode="unreferenced"><xsl:apply-templates select="." mode="file"/></xsl:template>

  <!-- An encapsulated file: of a level 1 body, or of observationMedia. -->
  <xsl:template match="*" mode="file">
    <xsl:variable name="data" select="concat('data:', @mediaType, ';base64,', translate(., ' &#9;&#10;&#13;', ''))"/>
    <xsl:choose>
      <xsl:when test="@representation != 'B64'"><pre><xsl:value-of select="."/></pre></xsl:when>
      <xsl:when test="@mediaType='image/jpeg' or @mediaType='image/png' or @mediaType='image/gif'"><img src="{$data}" alt="image du document"/></xsl:when>
      <xsl:when test="@mediaType='application/pdf'">
        <object type="application/pdf" data="{$data}"><p>Ce navigateur n'affiche pas le PDF ici.</p></object>
        <p><a download="document.pdf" href="{$data}">Télécharger le PDF</a></p>
      </xsl:when>
      <xsl:when test="@mediaType='text/plain' or @mediaType='text/rtf' or @mediaType='image/tiff'"><p><a download="document" href="{$data}">Télécharger le fichier (<xsl:value-of select="@mediaType"/>)</a></p></xsl:when>
      <xsl:otherwise><p>Un fichier de type <xsl:value-of select="@mediaType"/> est joint.</p></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="date">
    <xsl:param name="stamp"/>
    <xsl:choose>
      <xsl:when test="string-length($stamp) &gt;= 8"><xsl:value-of select="concat(substring($stamp, 7, 2), '/', substring($stamp, 5, 2), '/', substring($stamp, 1, 4))"/></xsl:when>
      <xsl:otherwise><xsl:value-of select="$stamp"/></xsl:otherwise>
    </xsl:choose>
    <xsl:if test="string-length($stamp) &gt;= 12"> à <xsl:value-of select="concat(substring($stamp, 9, 2), ' h ', substring($stamp, 11, 2))"/></xsl:if>
  </xsl:template>
</xsl:stylesheet>
