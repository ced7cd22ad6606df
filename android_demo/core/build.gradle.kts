plugins {
    alias(libs.plugins.kotlin.jvm)
}

kotlin {
    jvmToolchain(17)
}

dependencies {
    testImplementation(libs.junit)
}

tasks.test {
    systemProperty("assets", rootDir.resolve("app/src/main/assets").path)
    systemProperty("parity", rootDir.resolve("build/parity").path)
}
